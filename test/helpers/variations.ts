import { test, type TestContext, type TestOptions } from 'vitest'

type Run<T> = (row: T, context: TestContext) => Promise<void> | void

/**
 * `test.for`, of whose rows the first shows the behaviour, and each other one shows it once more: `npm test`
 * runs the first, `npm run test:all` all.
 */
export function testVariations<T>(rows: readonly T[]) {
  return (title: string, ...rest: [run: Run<T>] | [options: TestOptions, run: Run<T>]): void => {
    const [options, run] = rest.length === 2 ? rest : [{}, rest[0]]
    test.for(rows.slice(0, 1))(title, options, run)
    test.for(rows.slice(1))(title, { ...options, tags: ['variation'] }, run)
  }
}
