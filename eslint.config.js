import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The floors of src/, upper ones first. A folder imports from itself and from the floors below its own, so that data
 * goes through the program in one direction.
 */
const FLOORS = [
  ['cli'],
  ['upgrade'],
  ['survey', 'initramfs', 'plan', 'snapshot', 'park', 'jump', 'restore', 'settle'],
  ['report'],
  ['state'],
  ['store'],
  ['model'],
  ['tools'],
  ['failure'],
];

/** For each folder of src/, what it must not import: the floors above it, and its neighbours on its own floor. */
const importsGoDown = FLOORS.flatMap((floor, level) =>
  floor.map((folder) => {
    const above = FLOORS.slice(0, level).flat();
    // The phases hand plain data to each other: a later one may read the types of an earlier one.
    return {
      name: `src/${folder} imports what is below it`,
      files: [`src/${folder}/**/*.ts`],
      rules: {
        '@typescript-eslint/no-restricted-imports': [
          'error',
          {
            patterns: [
              ...(above.length === 0
                ? []
                : [{ regex: `^\\.\\./(${above.join('|')})/`, message: `src/${folder} is below ${above.join(', ')}.` }]),
              { regex: '^(\\.\\./){2,}', message: 'src/ stands alone: it imports neither the lab nor the tests.' },
            ],
          },
        ],
      },
    };
  }),
);

export default defineConfig(
  { ignores: ['build/', 'node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      // A `default` is an answer to the rest; without one, every member of a union must have a case.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // A number in a sentence is what it looks like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowArray: true }],
      // `() => socket.end()` hands nothing on by mistake.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true }],
      // Checks of what a type promises stand where data comes from outside, or where time passes between two looks.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // An interface may ask for a promise where there is nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // `!` stands where a regular expression has matched, or a length was asked: noUncheckedIndexedAccess cannot know.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Clients and test servers speak to libraries whose types leave these out.
    files: ['lab/clients/**', 'lab/demo/**', 'test/**'],
    rules: {
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
  ...importsGoDown,
);
