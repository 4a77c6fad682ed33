import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../helpers/cli.ts'
import prettier from '../../.prettierrc.json' with { type: 'json' }

/** A line that is nothing but a comment, of any kind: prettier wraps the code and leaves these. */
const COMMENT = /^\s*(?:\/\/|\/?\*)/

test('no comment is wider than the code may be', () => {
  const wide = globSync('{src,test,scripts,plugins/*}/**/*.{ts,js}', {
    cwd: root,
    exclude: ['**/node_modules/**'],
  }).flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, at) =>
        COMMENT.test(line) && line.length > prettier.printWidth ? [`${file}:${at + 1}`] : [],
      ),
  )
  expect(wide).toEqual([])
})
