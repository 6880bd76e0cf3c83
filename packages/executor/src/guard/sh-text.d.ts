/** Shell programs as text: by esbuild's text loader in the bundle, by Vite in tests. */
declare module '*.sh?raw' {
  const text: string;
  export default text;
}
