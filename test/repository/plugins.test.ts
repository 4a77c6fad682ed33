import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { scratchFolder } from '../fixtures/scratch.ts'
import { root } from '../helpers/cli.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const plugins = globSync('plugins/*/package.json', { cwd: root }).map((file) => path.dirname(file))
const { license } = JSON.parse(read('package.json')) as { license: string }

interface Package {
  readonly name: string
  readonly version: string
  readonly files: string[]
}

test('what docs/platform-plugins.md prints of the plugin for runit is what that plugin has', () => {
  const [, section] = /^## From an empty folder[^\n]*\n([^]*)/m.exec(read('docs/platform-plugins.md'))!
  const printed = [...section!.matchAll(/^```js(?:on)?\n([^]*?)^```/gm)].map(([, code]) => code!)
  expect(printed.length).toBeGreaterThan(6)
  const files = globSync('plugins/runit/*.{js,json}', { cwd: root }).map(read)
  expect(printed.filter((code) => !files.some((file) => file.includes(code)))).toEqual([])
})

describe.each(plugins)('%s', (folder) => {
  const { name, version, ...rest } = JSON.parse(read(`${folder}/package.json`)) as Package

  test('is a package that runs as it is, and takes nothing along', () => {
    expect(name).toBe(`private-connect-${path.basename(folder)}`)
    expect(rest).not.toHaveProperty('dependencies')
    // npm would look for what has our name in its registry.
    expect(rest).not.toHaveProperty('peerDependencies')
    expect(rest).toMatchObject({
      license,
      engines: { 'private-connect': expect.stringMatching(/^>=\d/) as string },
      oclif: { hooks: { 'connect:platforms': './description.js' } },
    })
    const modules = globSync('*.js', { cwd: path.join(root, folder) })
    expect(rest.files).toEqual(modules.filter((file) => !file.endsWith('.test.js')).toSorted())
  })

  test('replaces what is in the place of a script and no file, and does not wait for it', () => {
    const service = scratchFolder()
    execFileSync('mkfifo', [path.join(service, 'run')])
    const daemon = { command: ['/usr/bin/node'], cwd: '/', env: {}, logFile: '/tmp/daemon.log' }
    // In a process of its own: whoever reads a FIFO hears of no deadline any more.
    const script = `
      import { changeOf, scriptsFor, writeScripts } from ${JSON.stringify(path.join(root, folder, 'service-folder.js'))}
      const [service, scripts] = [${JSON.stringify(service)}, scriptsFor(${JSON.stringify(daemon)})]
      console.log(changeOf(service, scripts), await writeScripts(service, scripts), changeOf(service, scripts))`
    const args = ['--input-type=module', '--eval', script]
    expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })).toBe(
      'updated true unchanged\n',
    )
  })

  test('has a README that leads to its tarball', () => {
    const named = read(`${folder}/README.md`).match(/private-connect-[a-z]\w*-[\d.]+\.tgz/g) ?? []
    expect(new Set(named)).toEqual(new Set([`${name}-${version}.tgz`]))
  })

  test('imports what it has, and of others only Node.js and types', () => {
    const imported = globSync(`${folder}/*.js`, { cwd: root, exclude: ['**/*.test.js'] }).flatMap((file) =>
      [...read(file).matchAll(/(?:^import|^}).* from '(.*)'$|import\('(.*)'\)/gm)].map(
        ([, from, later]) => from ?? later!,
      ),
    )
    expect(imported.length).toBeGreaterThan(10)
    expect(imported.filter((from) => !/^(node:|\.\/)/.test(from))).toEqual([])
  })
})
