// @ts-check
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { platformConformance } from 'private-connect/conformance'
import platforms from './description.js'
import { isWatched } from './scandir.js'

// A service manager of its own, so that nothing of yours is touched.
const services = mkdtempSync(path.join(tmpdir(), 'services-'))
const svscan = spawn('s6-svscan', [services], { stdio: 'ignore' })
// It watches a moment after it has started, and until then the platform rightly can’t be used.
while (svscan.exitCode === null && !isWatched(services)) await sleep(10)

const description = await platforms()
const kinds = /** @type {const} */ (['agent', 'hub'])
const suites = kinds.map((kind) => ({
  kind,
  ...platformConformance({ description, kind, env: { S6_SCANDIR: services }, writesTo: [services] }),
}))

after(async () => {
  for (const suite of suites) await suite.close()
  svscan.kill('SIGTERM')
  rmSync(services, { recursive: true, force: true })
})

for (const { kind, checks } of suites)
  for (const { title, run } of checks) void test(`${kind}: ${title}`, { timeout: 300_000 }, run)
