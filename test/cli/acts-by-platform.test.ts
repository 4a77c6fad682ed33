import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { actsByPlatform } from '../../src/cli/acts-by-platform.ts'
import { sourceFiles, sourceOf } from '../fixtures/product/source.ts'
import { root } from '../helpers/cli.ts'

const CLASS = /extends (?:DaemonCommand|HubCommand|KeptCommand|DaemonStatus)\b/

test('the commands that act by a platform are those whose class has one', () => {
  const text = readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')
  const { commands } = JSON.parse(text) as { commands: Record<string, object> }
  const fileOf = (id: string) => {
    const stem = `src/commands/${id.replaceAll(':', '/')}`
    return [`${stem}.ts`, `${stem}/index.ts`].find((file) => sourceFiles.includes(file))
  }
  const ids = Object.keys(commands).filter((id) => fileOf(id) !== undefined)
  const having = ids.filter((id) => CLASS.test(sourceOf(fileOf(id)!)))
  expect(having).toContain('hub:install')
  expect(ids.filter((id) => actsByPlatform(id.split(':')))).toEqual(having)
})
