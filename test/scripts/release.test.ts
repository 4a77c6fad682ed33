import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { checkTag, makeRelease, releaseNotes } from '../../scripts/release.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { root } from '../helpers/cli.ts'

const { name, version, dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  name: string
  version: string
  dependencies: Record<string, string>
}

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.10.0] - 2026-12-01

### Fixed

- A thing.

## [1.1.0] - 2026-11-30

- Another.
`

test('a release is a tarball, a bill of materials, the checksums of both, and the notes', () => {
  const folder = scratchFolder()
  const [tarball, bill] = [`${name}-${version}.tgz`, `${name}-${version}.cdx.json`]
  expect(makeRelease(folder).toSorted()).toEqual(['SHA256SUMS', bill, tarball, 'notes.md'].toSorted())
  const read = (file: string) => readFileSync(path.join(folder, file))

  const sums = read('SHA256SUMS').toString().trimEnd().split('\n')
  const sumOf = (file: string) => createHash('sha256').update(read(file)).digest('hex')
  expect(sums.toSorted()).toEqual([tarball, bill].map((file) => `${sumOf(file)}  ${file}`).toSorted())

  const { metadata, components } = JSON.parse(read(bill).toString()) as {
    metadata: { component: object }
    components: { purl: string }[]
  }
  expect(metadata.component).toMatchObject({ name, version, type: 'application' })
  const parts = components.map(({ purl }) => decodeURIComponent(purl).replace(/^pkg:npm\/(.+)@.*$/, '$1'))
  expect(parts).toEqual(expect.arrayContaining([...Object.keys(dependencies), 'isexe']))
  for (const none of ['npm', 'yarn', 'vitest', 'private-connect-runit']) expect(parts).not.toContain(none)
})

test('its notes are the section that the changelog has for this version', () => {
  expect(releaseNotes(CHANGELOG, '1.10.0')).toBe('### Fixed\n\n- A thing.\n')
  expect(releaseNotes(CHANGELOG, '1.1.0')).toBe('- Another.\n')
})

test.for(['1.0.0', '1.1', 'Unreleased'])(
  'a version that the changelog is silent on, %s, is none',
  (title) => {
    expect(() => releaseNotes(CHANGELOG, title)).toThrow(`CHANGELOG.md says nothing under "## [${title}]"`)
  },
)

test('a tag that is not this version’s makes nothing', () => {
  const folder = scratchFolder()
  expect(() => makeRelease(path.join(folder, 'release'), 'v9.9.9')).toThrow(
    `package.json has version ${version}`,
  )
  expect(() => checkTag(version, version)).toThrow()
  expect(() => checkTag(`v${version}`, version)).not.toThrow()
})

test('what lies in the folder already is not taken for part of the release', () => {
  const folder = scratchFolder()
  writeFileSync(path.join(folder, 'left-over.tgz'), '')
  expect(() => makeRelease(folder)).toThrow(/is not empty/)
})
