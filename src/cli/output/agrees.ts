import { createInterface } from 'node:readline/promises'

/**
 * Asks whoever sits at the terminal. Enter is yes; Ctrl-D, or a terminal that goes away, is no.
 *
 * @param question ends in ` [Y/n] `
 */
export async function agrees(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const { promise: answer, resolve } = Promise.withResolvers<string>()
  // Else it would count as no, and the command go on.
  lines.on('SIGINT', () => {
    lines.close()
    process.kill(process.pid, 'SIGINT')
  })
  lines.once('line', resolve)
  lines.once('close', () => resolve('n'))
  lines.setPrompt(question)
  lines.prompt()
  try {
    return /^(y(es)?)?$/i.test((await answer).trim())
  } finally {
    lines.close()
  }
}
