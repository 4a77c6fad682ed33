// Makes what a release consists of, in a folder: npm run release -- FOLDER --tag vX.Y.Z. Publishes nothing.
// Without a tag it is a rehearsal.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

const root = path.dirname(import.meta.dirname)
const readRoot = (file: string) => readFileSync(path.join(root, file), 'utf8')

interface Package {
  readonly name: string
  readonly version: string
  readonly overrides: Record<string, Record<string, string>>
  readonly workspaces: readonly string[]
}

interface LockFile {
  readonly packages: Record<string, { dependencies: Record<string, string>; link?: boolean }>
}

/** A section of the changelog, without its heading. @throws Error if there is none, or nothing in it */
export function releaseNotes(changelog: string, title: string): string {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find((text) => text.startsWith(`[${title}]`))
  const notes = section?.slice(section.indexOf('\n')).trim()
  if (notes) return `${notes}\n`
  throw new Error(`CHANGELOG.md says nothing under "## [${title}]"`)
}

/** @throws Error if the tag is not that of the version in package.json */
export function checkTag(tag: string, version: string): void {
  if (tag !== `v${version}`) throw new Error(`The tag is ${tag}, but package.json has version ${version}`)
}

/** What the package consists of, in CycloneDX's form. */
function billOfMaterials({ overrides, workspaces: _plugins, ...rest }: Package): string {
  const lock = JSON.parse(readRoot('package-lock.json')) as LockFile
  // npm sbom takes an override for an error, so the copied lock file has it as what the package asked for.
  for (const [name, replaced] of Object.entries(overrides)) {
    const { dependencies } = lock.packages[`node_modules/${name}`] ?? {}
    Object.assign(dependencies ?? {}, replaced)
  }
  // Packages of their own, of which the tarball has nothing.
  for (const [place, { link }] of Object.entries(lock.packages))
    if (link || place.startsWith('plugins/')) delete lock.packages[place]
  const temporary = mkdtempSync(path.join(tmpdir(), 'sbom-'))
  // npm sbom names the root component for its folder.
  const folder = path.join(temporary, rest.name)
  mkdirSync(folder)
  try {
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify(rest))
    writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify(lock))
    return npm(folder, 'sbom --package-lock-only --omit=dev --sbom-format=cyclonedx --sbom-type=application')
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function npm(cwd: string, args: string, ...paths: string[]): string {
  return execFileSync('npm', [...args.split(' '), ...paths], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/**
 * Packs the program, and writes its bill of materials, the checksums of both, and the notes.
 *
 * @param folder an empty one, or one that doesn't exist
 * @returns the names of what is in it then
 */
export function makeRelease(folder: string, tag?: string): string[] {
  const ours = JSON.parse(readRoot('package.json')) as Package
  const { name, version } = ours
  // All checks come first, so that nothing is left half made.
  if (tag !== undefined) checkTag(tag, version)
  const notes = releaseNotes(readRoot('CHANGELOG.md'), tag === undefined ? 'Unreleased' : version)
  mkdirSync(folder, { recursive: true })
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`)

  npm(root, 'pack --silent --ignore-scripts --pack-destination', path.resolve(folder))
  writeFileSync(path.join(folder, `${name}-${version}.cdx.json`), billOfMaterials(ours))
  const sums = readdirSync(folder).map((file) => {
    const sum = createHash('sha256').update(readFileSync(path.join(folder, file)))
    return `${sum.digest('hex')}  ${file}\n`
  })
  writeFileSync(path.join(folder, 'SHA256SUMS'), sums.join(''))
  writeFileSync(path.join(folder, 'notes.md'), notes)
  return readdirSync(folder)
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { tag: { type: 'string' } },
  })
  const [folder] = positionals
  try {
    if (folder === undefined) throw new Error('Say into which folder: npm run release -- FOLDER')
    for (const file of makeRelease(folder, values.tag)) console.log(path.join(folder, file))
  } catch (error) {
    console.error(`[x] ${(error as Error).message}`)
    process.exit(1)
  }
}
