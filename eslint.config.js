import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The floors of src/, upper ones first. A folder imports from itself and from the floors below its own, so that data
 * goes through the program in one direction.
 */
const FLOORS = [
  ['cli'],
  ['upgrade'],
  ['survey', 'plan', 'snapshot', 'park', 'jump', 'restore', 'settle'],
  ['state', 'store', 'tools'],
  ['failure', 'report'],
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
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // A number in a sentence is what it looks like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => socket.end()` hands nothing on by mistake.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An interface may ask for a promise where there is nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // `!` stands where a regular expression has matched, or a length was asked: noUncheckedIndexedAccess cannot know.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  ...importsGoDown,
);
