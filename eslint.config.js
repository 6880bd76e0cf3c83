import tseslint from 'typescript-eslint';

/** Decisions are pure: time, randomness and ids come in as inputs (ARCHITECTURE.md, "core"). */
const bannedInCore = [
  { object: 'Date', property: 'now', message: 'time is an input of core' },
  { object: 'Math', property: 'random', message: 'randomness is an input of core' },
  { object: 'performance', property: 'now', message: 'time is an input of core' },
];
const bannedGlobalsInCore = ['setTimeout', 'setInterval', 'setImmediate', 'process', 'fetch', 'console'].map(
  (name) => ({
    name,
    message: 'core neither waits, nor acts, nor prints',
  }),
);

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', 'packages/*/src/gen/**', 'coverage/**', 'test/fixtures/**'],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['packages/*/src/**/core/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-properties': ['error', ...bannedInCore],
      'no-restricted-globals': ['error', ...bannedGlobalsInCore],
    },
  },
  {
    files: ['**/*.test.ts', '**/testing/**/*.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['scripts/**', '*.js', '*.config.ts'], ...tseslint.configs.disableTypeChecked },
  { files: ['scripts/**'], rules: { 'no-console': 'off' } },
);
