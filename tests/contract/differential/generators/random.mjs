/** A seeded source of random choices: a seed gives the same program on every machine. */

/** Returns a generator of random choices for a seed, which may be any text. */
export function randomFrom(seed) {
    const next = numbers(hash(String(seed)));

    /** Returns a whole number from 0 up to, but not including, `limit`. */
    const below = (limit) => Math.floor(next() * limit);

    return {
        below,
        between: (from, to) => from + below(to - from + 1),
        chance: (probability) => next() < probability,
        pick: (list) => list[below(list.length)],

        /** Picks a key of `{ key: weight }`. */
        weighted(weights) {
            const entries = Object.entries(weights);
            let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
            return (entries.find(([, weight]) => (left -= weight) < 0) ?? entries.at(-1))[0];
        },

        shuffled(list) {
            const rest = [...list];
            return list.map(() => rest.splice(below(rest.length), 1)[0]);
        },

        /** Picks up to `count` different items, in random order. */
        some(list, count) {
            return this.shuffled(list).slice(0, count);
        },

        /** Returns a list of `from` to `to` items. */
        list(from, to, make) {
            return Array.from({ length: this.between(from, to) }, (_, index) => make(index));
        },
    };
}

/** The 32-bit hash FNV-1a. */
function hash(text) {
    let value = 0x811c9dc5;
    for (const character of text) {
        value = Math.imul(value ^ character.codePointAt(0), 0x01000193);
    }
    return value >>> 0;
}

/** The generator mulberry32: numbers from 0 to 1. */
function numbers(state) {
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}
