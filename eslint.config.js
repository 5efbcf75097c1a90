import { builtinRules } from 'eslint/use-at-your-own-risk';
import tseslint from 'typescript-eslint';

/** `js.configs.recommended`, read from the linter itself: @eslint/js makes it of the same marks, and comes as a package of its own. */
const recommended = {
  rules: Object.fromEntries(
    Array.from(builtinRules)
      .filter(([, rule]) => rule.meta.docs.recommended)
      .map(([name]) => [name, 'error']),
  ),
};

export default tseslint.config(
  { ignores: ['**/dist/', 'node_modules/', 'data/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [recommended, ...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // A number in a message reads as the number; anything richer must be formatted on purpose.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Nest modules are classes that carry nothing but their decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A type-only import of a DTO compiles and silently switches validation off; the compiler decides elsewhere.
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    // An example has the settings of a project of its own, whose packages are compiled only for the test from tarballs. `npm run check:types` knows its types.
    files: ['examples/**/*.ts'],
    ...tseslint.configs.disableTypeChecked,
  },
  {
    files: [
      '**/*.spec.ts',
      '**/*-spec.ts',
      '**/testing/**/*.ts',
      '**/simulation/**/*.ts',
      '**/*.contract.ts',
    ],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Matchers such as expect.any and expect.objectContaining are typed any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
);
