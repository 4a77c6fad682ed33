import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const folder = path.join(import.meta.dirname, '..', '..', '..', 'fixtures', 'systemd')

/** What a program of systemd said on a real machine. */
export interface Sample {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function sample(name: string): Sample {
  const text = readFileSync(path.join(folder, `${name}.txt`), 'utf8')
  const [, code] = /^# exit code (\d+)$/m.exec(text)!
  const [stdout = '', stderr = ''] = text.replace(/^(# .*\n)*?# exit code \d+\n/, '').split(/^# stderr\n/m)
  return { code: Number(code), stdout, stderr }
}

export function samplesNamed(pattern: RegExp): string[] {
  return readdirSync(folder)
    .map((file) => path.basename(file, '.txt'))
    .filter((name) => pattern.test(name))
}
