import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../../helpers/cli.ts'
import { runOk } from './run.ts'

/** What is pinned, also where the machine's own is too old. */
const env = {
  ...process.env,
  PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
  // Behind a company’s proxy only the system knows the certificates.
  NODE_USE_SYSTEM_CA: '1',
}

/** The packages of two versions, and a place that either is installed in as a user does it. */
export class Packages {
  readonly folder: string
  /** Of this checkout, as it was built. */
  readonly now: string
  /** The one before it. */
  readonly before: string

  private constructor(folder: string, now: string, before: string) {
    this.folder = folder
    this.now = now
    this.before = before
  }

  /** The version before is the tarball that LAB_BEFORE names, else this one; its number is lowered. */
  static async make(): Promise<Packages> {
    const folder = mkdtempSync(path.join(tmpdir(), 'pc-package-'))
    const now = await pack(root, folder)
    return new Packages(folder, now, await lowered(process.env.LAB_BEFORE || now, folder))
  }

  /** Where npm puts global packages; its `bin` has `connect`. */
  get prefix(): string {
    return path.join(this.folder, 'prefix')
  }

  /** In place of the one that is there. */
  async install(tarball: string): Promise<void> {
    const quietly = ['--no-audit', '--no-fund', '--prefer-offline']
    const args = ['install', '--global', '--prefix', this.prefix, ...quietly, tarball]
    await runOk('npm', args, { env, cwd: this.folder, timeoutMs: 180_000 })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function pack(source: string, folder: string): Promise<string> {
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]
  const printed = await runOk('npm', args, { env, cwd: source })
  return path.join(folder, printed.trim().split('\n').at(-1)!)
}

async function lowered(tarball: string, folder: string): Promise<string> {
  await runOk('tar', ['--extract', '--file', tarball, '--directory', folder])
  const source = path.join(folder, 'package')
  for (const name of ['package.json', 'oclif.manifest.json']) {
    const file = path.join(source, name)
    const content = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    writeFileSync(file, JSON.stringify({ ...content, version: '0.0.9' }))
  }
  return pack(source, folder)
}
