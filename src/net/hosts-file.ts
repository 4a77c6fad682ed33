import { readFile } from 'node:fs'
import { isIP } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { codeOf } from '../errors.ts'
import type { Address } from './known-addresses.ts'

/** hosts(5) */
const FILE =
  process.platform === 'win32'
    ? path.join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'hosts')
    : '/etc/hosts'

/** @returns what the machine's own list of hosts says of a name; nothing if there is no list */
export async function lookUpInHosts(name: string, file = FILE): Promise<Address[]> {
  let text: string
  try {
    text = await promisify(readFile)(file, 'utf8')
  } catch (error) {
    // There need not be one, and what can't be read says nothing: DNS is asked.
    if (codeOf(error) !== undefined) return []
    throw error
  }
  return findInHosts(text, name)
}

/** @param text as in hosts(5): an address and its names on each line, `#` before a comment */
export function findInHosts(text: string, name: string): Address[] {
  const wanted = name.toLowerCase()
  const found: Address[] = []
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const family = isIP(address)
    if (family !== 0 && names.some((one) => one.toLowerCase() === wanted)) found.push({ address, family })
  }
  return found
}
