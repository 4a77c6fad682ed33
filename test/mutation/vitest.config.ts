import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import config from '../../vitest.config.ts'

const tests = (process.env.MUTATION_TESTS ?? '').split(' ')

/** In their order: the first test that notices ends a run. */
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => tests.indexOf(path.relative(process.cwd(), moduleId))
    return files.toSorted((a, b) => place(a) - place(b))
  }
}

const { projects: _, ...shared } = config.test!

/** As for `npm run test:all`, but only the tests named by MUTATION_TESTS. */
export default defineConfig({
  test: { ...shared, include: tests, maxWorkers: 1, sequence: { sequencer: InOrder } },
})
