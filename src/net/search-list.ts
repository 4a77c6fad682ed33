import { readFile } from 'node:fs'
import { promisify } from 'node:util'
import { codeOf } from '../errors.ts'

const FILE = '/etc/resolv.conf'

/** The names to ask DNS for, one after the other, when a user gives this one. */
export async function searchedNames(name: string, file = FILE): Promise<string[]> {
  let text = ''
  try {
    text = await promisify(readFile)(file, 'utf8')
  } catch (error) {
    // Without that file a resolver asks for the name as it is (resolv.conf(5)).
    if (codeOf(error) === undefined) throw error
  }
  return searchNames(text, name)
}

/** @param text as in resolv.conf(5), of which count the last `search` or `domain`, and `ndots` (default 1) */
export function searchNames(text: string, name: string): string[] {
  const lists = [...text.matchAll(/^(?:search|domain)[ \t]+(.+)$/gm)]
  const domains = lists.at(-1)?.[1]?.trim().split(/\s+/) ?? []
  const ndots = Number(/^options\b.*\bndots:(\d+)/m.exec(text)?.[1] ?? 1)
  const dots = name.split('.').length - 1
  const searched = domains.filter((domain) => domain !== '.').map((domain) => `${name}.${domain}`)
  return dots >= ndots ? [name, ...searched] : [...searched, name]
}
