import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import config from '../../vitest.config.ts'
import { root } from '../helpers/cli.ts'

const files = globSync('test/**/*.ts', { cwd: root }).toSorted()
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8')
const [units, processes] = config.test!.projects!.map((project) =>
  typeof project === 'object' && 'test' in project ? (project.test?.include ?? []) : [],
)

test('every test is in one of the two projects', () => {
  expect(units!.length).toBeGreaterThan(80)
  expect(processes!.length).toBeGreaterThan(40)
  const apart = /^test\/(lab|soak|bench)\//
  const all = files.filter((file) => file.endsWith('.test.ts') && !apart.test(file))
  expect([...units!, ...processes!].toSorted()).toEqual(all)
})

test('tests lie in folders that mirror those of src/', () => {
  const others = ['bench', 'e2e', 'fixtures', 'helpers', 'lab', 'mutation', 'repository', 'scripts', 'soak']
  const folders = new Set(files.map((file) => path.dirname(file)).filter((folder) => folder !== 'test'))
  const apart = [...folders].filter((folder) => {
    const [, area, ...below] = folder.split('/')
    return !others.includes(area!) && !below.includes('helpers')
  })
  expect(apart.length).toBeGreaterThan(30)
  const isInSource = (folder: string) => existsSync(path.join(root, folder.replace(/^test/, 'src')))
  expect(apart.filter((folder) => !isInSource(folder))).toEqual([])
})

test('unit tests are quick: npm test leaves none of them out', () => {
  expect(units!.filter((file) => /\['variation'\]|testVariations\(/.test(textOf(file)))).toEqual([])
})

test('no test waits for what does not come, and goes on', () => {
  const careless = files.filter((file) => /^\s*await waitFor\(/m.test(textOf(file)))
  // Its own test looks at how long it waits.
  expect(careless.filter((file) => !/\/wait[\w-]*\.test\.ts$/.test(file))).toEqual([])
})

test('no title counts by a list that is not here', () => {
  const numbered = files.flatMap((file) =>
    [...textOf(file).matchAll(/\b(?:test|describe)\(\s*['"`]\d+(?:, \d+)*: .*/g)].map(
      ([line]) => `${file}: ${line}`,
    ),
  )
  expect(numbered).toEqual([])
})

test('what is no test does not lie among tests', () => {
  const whole = /^test\/(helpers|fixtures|bench|mutation)\/|\/(helpers|fixtures)\/|vitest\.config\.ts$/
  expect(files.filter((file) => !file.endsWith('.test.ts') && !whole.test(file))).toEqual([])
})

/** Folders whose files are many of one kind. */
const ONE_KIND = [
  // What a test starts as a process.
  'test/fixtures/programs',
  // What systemctl and loginctl have answered.
  'test/fixtures/systemd',
  // The parts of machines, servers and networks that the lab is built from.
  'test/lab/helpers',
  // The parts of a tunnel that is simulated.
  'test/tunnel/helpers',
]

test('a folder can be taken in at a glance, its tests aside: 15 files, or many of one kind', () => {
  const counts = new Map<string, number>()
  for (const file of globSync('test/**/*.*', { cwd: root })) {
    if (file.endsWith('.test.ts')) continue
    counts.set(path.dirname(file), (counts.get(path.dirname(file)) ?? 0) + 1)
  }
  const full = [...counts.keys()].filter((folder) => counts.get(folder)! > 15)
  expect(full.toSorted()).toEqual(ONE_KIND)
})
