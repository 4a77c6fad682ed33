import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** A file's name alone on a line, and its contents in the code block below. */
const FILE = /^`([\w.-]+)`\n\n```\w+\n([^]*?)^```$/gm

/** Writes the files that a document prints into a folder. @returns their names */
export function writePrintedFiles(document: string, folder: string): string[] {
  const files = [...readFileSync(document, 'utf8').matchAll(FILE)]
  for (const [, name = '', contents = ''] of files) writeFileSync(path.join(folder, name), contents)
  return files.map(([, name = '']) => name)
}
