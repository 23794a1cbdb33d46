// Packages that integrations typically import: name, import statement, use.

export const cases = [
    // Validation libraries.
    ['zod', "import { z } from 'zod';", "z.object({ a: z.string().email() }).safeParse({ a: 'x' }).success"],
    ['valibot', "import * as v from 'valibot';", "v.safeParse(v.object({ a: v.string() }), { a: 1 }).success"],
    ['ajv', "import Ajv from 'ajv';", "new Ajv({ code: { source: true } }).opts.code.source"],
    ['superstruct', "import { is, object, string } from 'superstruct';", "is({ a: 'x' }, object({ a: string() }))"],
    // Large tables.
    ['tldts', "import { parse } from 'tldts';", "parse('https://www.example.co.uk').domain"],
    ['highlight.js', "import hljs from 'highlight.js';", "hljs.highlightAuto('let a = 1;').value"],
    ['katex', "import katex from 'katex';", "katex.renderToString('x^2')"],
    ['slugify', "import slugify from 'slugify';", "slugify('Übung macht')"],
    // Generated and hand-written parsers.
    ['jsonata', "import jsonata from 'jsonata';", "jsonata('$sum(a)').ast().type"],
    ['peggy', "import peggy from 'peggy';", "peggy.parser.parse('a = \"b\"').type"],
    ['acorn', "import { parse } from 'acorn';", "parse('1 + 1', { ecmaVersion: 2024 }).type"],
    ['graphql', "import { parse, print } from 'graphql';", "print(parse('{ a }'))"],
    ['yaml', "import { parse } from 'yaml';", "parse('a: [1, 2]').a.length"],
    ['js-yaml', "import { load } from 'js-yaml';", "load('a: 1').a"],
    ['fast-xml-parser', "import { XMLParser } from 'fast-xml-parser';", "new XMLParser().parse('<a>1</a>').a"],
    ['csv-parse', "import { parse } from 'csv-parse/browser/esm/sync';", "parse('a,b').length"],
    ['semver', "import semver from 'semver';", "semver.satisfies('1.2.3', '^1')"],
    // Templates, Markdown and syntax highlighting.
    ['handlebars', "import Handlebars from 'handlebars/dist/cjs/handlebars.js';", "Handlebars.VERSION"],
    ['mustache', "import Mustache from 'mustache';", "Mustache.render('{{a}}', { a: 1 })"],
    ['marked', "import { marked } from 'marked';", "marked.parse('# a')"],
    ['markdown-it', "import MarkdownIt from 'markdown-it';", "new MarkdownIt().render('# a')"],
    ['prismjs', "import Prism from 'prismjs';", "Prism.highlight('a', Prism.languages.javascript, 'javascript')"],
    ['turndown', "import TurndownService from 'turndown';", "typeof new TurndownService().turndown"],
    ['linkedom', "import { parseHTML } from 'linkedom/worker';", "parseHTML('<p>a</p>').document.toString()"],
    // Frameworks and clients for Workers.
    ['hono', "import { Hono } from 'hono';", "new Hono().get('/', (c) => c.text('a')).routes.length"],
    ['itty-router', "import { AutoRouter } from 'itty-router';", "typeof AutoRouter().get"],
    ['jose', "import { SignJWT, jwtVerify } from 'jose';", "[typeof SignJWT, typeof jwtVerify].join()"],
    ['xstate', "import { createMachine } from 'xstate';", "createMachine({ initial: 'a', states: { a: {} } }).id"],
    ['algoliasearch', "import { algoliasearch } from 'algoliasearch';", "typeof algoliasearch('a', 'b').search"],
    ['fuse.js', "import Fuse from 'fuse.js';", "new Fuse(['a'], {}).search('a').length"],
    ['lunr', "import lunr from 'lunr';", "lunr.version"],
    // Libraries for dates, collections and bytes.
    ['date-fns', "import { format, parseISO } from 'date-fns';", "format(parseISO('2026-01-01'), 'PPP')"],
    ['luxon', "import { DateTime } from 'luxon';", "DateTime.fromISO('2026-01-01').toISODate()"],
    ['dayjs', "import dayjs from 'dayjs';", "dayjs('2026-01-01').format('YYYY')"],
    ['lodash-es', "import { debounce, merge, sortBy } from 'lodash-es';", "[typeof debounce, merge({}, { a: 1 }).a, sortBy([2, 1])[0]].join()"],
    ['fflate', "import { gzipSync, strToU8 } from 'fflate';", "gzipSync(strToU8('a')).length"],
    ['ts-pattern', "import { match, P } from 'ts-pattern';", "match(1).with(P.number, () => 'a').otherwise(() => 'b')"],
    ['nanoid', "import { nanoid } from 'nanoid';", "nanoid().length"],
];
