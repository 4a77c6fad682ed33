// @ts-check
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { platformConformance } from 'private-connect/conformance'
import platforms from './description.js'

// A service manager of its own, so that nothing of yours is touched.
const services = mkdtempSync(path.join(tmpdir(), 'services-'))
const runsvdir = spawn('runsvdir', ['-P', services], { stdio: 'ignore' })

const description = await platforms()
const kinds = /** @type {const} */ (['agent', 'hub'])
const suites = kinds.map((kind) => ({
  kind,
  ...platformConformance({ description, kind, env: { SVDIR: services }, writesTo: [services] }),
}))

after(async () => {
  for (const suite of suites) await suite.close()
  runsvdir.kill('SIGHUP')
  rmSync(services, { recursive: true, force: true })
})

for (const { kind, checks } of suites)
  for (const { title, run } of checks) void test(`${kind}: ${title}`, { timeout: 300_000 }, run)
