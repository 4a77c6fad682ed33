import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The licenses of the packages that modules come from, which want to go with them. @throws Error */
export function licensesOf(modules: readonly string[]): string {
  const files = modules.map((id) => id.replaceAll(path.sep, '/'))
  const folders = files.flatMap((id) => /^[^\0].*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id) ?? [])
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Package
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} has no license that could go with it`)
    return `${name} ${version} (${license})\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

type Package = Readonly<Record<'name' | 'version' | 'license', string>>
