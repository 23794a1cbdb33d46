/** Files with these names are imported as text. */
declare module '*.raw.js' {
    const text: string;
    export default text;
}
