import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../helpers/free-port.ts'
import type { RunningCli } from '../../helpers/cli.ts'
import { run, runOk, start } from './run.ts'

const VERSIONS = '/usr/lib/postgresql'

/** Programs of the newest installed version; `psql` and `pgbench` only work against a server's port. */
export const postgresPrograms = ['initdb', 'postgres', 'psql', 'pgbench'].map((name) =>
  path.join(VERSIONS, newestVersion(), 'bin', name),
)
const [initdb = '', postgres = '', psqlProgram = '', pgbenchProgram = ''] = postgresPrograms

export interface Postgres {
  readonly port: number
  /** Where its Unix socket is. */
  readonly folder: string
  /** Its Unix socket. */
  readonly socket: string
  /** What the server has logged. */
  log(): string
  stop(): Promise<void>
}

/** Where it runs: default the host's network, and a free port. */
export interface PostgresPlace {
  /** What to run it by, to have it in another network. */
  readonly via?: readonly string[]
  readonly port?: number
}

/** A cluster of its own, in a temporary folder. It runs as the user postgres: it refuses to as root. */
export async function startPostgres({ via = [], port: given }: PostgresPlace = {}): Promise<Postgres> {
  const [uid, gid] = (await Promise.all(['-u', '-g'].map((flag) => runOk('id', [flag, 'postgres'])))).map(
    Number,
  )
  const folder = mkdtempSync(path.join(tmpdir(), 'pc-pg-'))
  chownSync(folder, uid!, gid!)
  const asPostgres = { uid: uid!, gid: gid!, cwd: folder }
  const data = path.join(folder, 'data')
  await runOk(initdb, ['-D', data, '--auth=trust', '--no-sync', '--encoding=UTF8'], asPostgres)
  const port = given ?? (await freePort())
  const settings = ['listen_addresses=127.0.0.1', 'max_connections=250', 'fsync=off']
  const args = ['-D', data, '-k', folder, '-p', String(port), ...settings.flatMap((one) => ['-c', one])]
  // Into another network only root may go.
  const asUser = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', postgres, ...args]
  const [program = '', ...words] = [...via, ...asUser]
  const server = start(program, words, { cwd: folder })
  await server.printed(/ready to accept connections/)
  return {
    port,
    folder,
    socket: path.join(folder, `.s.PGSQL.${port}`),
    log: () => server.output,
    async stop() {
      // A "fast" shutdown: it ends the sessions that are left.
      await server.stop('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A port of this machine, or the folder of a Unix socket with the usual name. */
type Server = number | string

/**
 * @param via what to run it by, to have it in another network
 * @returns what the query yields, unaligned and without headers
 */
export async function psql(server: Server, query: string, via: readonly string[] = []): Promise<string> {
  const [program = '', ...words] = [...via, psqlProgram, ...psqlArgs(server, query)]
  return (await runOk(program, words, { timeoutMs: 120_000 })).trim()
}

/** Starts a query, to go on while the test does. */
export function startPsql(server: Server, query: string): RunningCli {
  return start(psqlProgram, psqlArgs(server, query))
}

export async function pgbench(server: Server, args: readonly string[]) {
  return run(pgbenchProgram, [...args, ...connectionTo(server), 'postgres'], { timeoutMs: 120_000 })
}

/** A session that takes its queries from stdin, and ends at the first that fails. */
export function psqlCommand(server: Server): [string, ...string[]] {
  return [psqlProgram, '--no-psqlrc', '-v', 'ON_ERROR_STOP=1', '-At', ...connectionTo(server), 'postgres']
}

function psqlArgs(server: Server, query: string): string[] {
  return ['--no-psqlrc', '-v', 'ON_ERROR_STOP=1', '-Atc', query, ...connectionTo(server), 'postgres']
}

function connectionTo(server: Server): string[] {
  const where = typeof server === 'number' ? ['-h', '127.0.0.1', '-p', String(server)] : ['-h', server]
  return [...where, '-U', 'postgres']
}

function newestVersion(): string {
  try {
    return (
      readdirSync(VERSIONS)
        .toSorted((a, b) => Number(b) - Number(a))
        .at(0) ?? 'none'
    )
  } catch {
    return 'none'
  }
}
