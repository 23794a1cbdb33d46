/**
 * Programs that the CLI publishes and we refuse, on purpose. Each is refused with file and line, and never published.
 * There are at most ten.
 */

/**
 * One `{ reason, refused }` each: `refused` matches the complaint about a program, which begins with its file and line.
 * An exception that no program of the default seed meets fails the suite.
 */
export const exceptions = [];

export const MAX_EXCEPTIONS = 10;

/** Returns the exception under which a result is a refusal, if there is one. */
export function exceptionFor({ ours }) {
    const places = ours.refused?.split('\n') ?? [];
    return exceptions.find(({ refused }) => places.length > 0 && places.every((place) => refused.test(place)));
}
