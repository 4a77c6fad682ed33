import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PluginPackage } from '../../plugins/plugin-package.ts'
import { PLATFORMS_HOOK, PLUGIN_TIMEOUT_MS } from './ask-plugins.ts'

/** What fails in it fails again in this thread, which tells of it. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const load = async () => {
  for (const file of workerData.commands) await import(file)
  for (const file of workerData.hooks) await (await import(file)).default?.({})
}
load().catch(() => {}).finally(() => parentPort.postMessage('done'))
`

/**
 * Imports a plugin, and asks it for its platforms, in a thread: a loop without an end stops all that its
 * thread does, deadlines too, and only a thread can be ended in the middle of it.
 *
 * @returns whether it came to an end, be it by an error
 */
export async function comesBack({ hookFiles, commandsFile }: PluginPackage): Promise<boolean> {
  const urls = (files: readonly string[]) => files.map((file) => pathToFileURL(file).href)
  const workerData = { hooks: urls(hookFiles[PLATFORMS_HOOK] ?? []), commands: urls(modulesIn(commandsFile)) }
  const { Worker } = await import('node:worker_threads')
  const { promise, resolve } = Promise.withResolvers<boolean>()
  // What it prints it prints in this thread, too.
  const worker = new Worker(PROGRAM, { eval: true, workerData, stdout: true, stderr: true })
  const timer = setTimeout(() => resolve(false), PLUGIN_TIMEOUT_MS)
  // One that waits for what never comes ends by itself.
  for (const event of ['message', 'exit', 'error']) worker.once(event, () => resolve(true))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

function modulesIn(file: string | undefined): string[] {
  if (file === undefined) return []
  if (!statSync(file).isDirectory()) return [file]
  return readdirSync(file, { encoding: 'utf8', recursive: true })
    .filter((entry) => /\.[cm]?js$/.test(entry))
    .map((entry) => path.join(file, entry))
}
