import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../helpers/free-port.ts'
import { runOk, start } from './run.ts'

export interface Redis {
  readonly port: number
  stop(): Promise<void>
}

/** A server of its own, which saves nothing. */
export async function startRedis(): Promise<Redis> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pc-redis-'))
  const port = await freePort()
  const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = start('redis-server', ['--port', String(port), ...settings])
  await server.printed(/Ready to accept connections/)
  return {
    port,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** @returns what redis-cli prints */
export async function redisCli(port: number, args: readonly string[], input?: string): Promise<string> {
  const options = { timeoutMs: 120_000, ...(input !== undefined && { input }) }
  return (await runOk('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...args], options)).trim()
}
