/** Options of ssh(1) that a value follows, as OpenSSH 10 has them (getopt() in ssh.c). */
const VALUED = new Set('BbcDEeFIiJLlmOoPpQRSWw')

/** Options that ask ssh about itself. */
const QUESTIONS = new Set('QV')

/**
 * Finds where ssh is to go as ssh itself does: the first word that is no option, nor an option's value.
 *
 * @param args of ssh
 * @returns its host; `isQuestion`: there is none, and ssh has an answer nonetheless
 */
export function destinationOf(args: readonly string[]): { host: string | undefined; isQuestion: boolean } {
  let isQuestion = false
  let at = 0
  for (; at < args.length; at++) {
    const word = args[at]!
    if (word === '--') {
      at++
      break
    }
    if (!word.startsWith('-') || word === '-') break
    const letters = word.slice(1).split('')
    const valued = letters.findIndex((letter) => VALUED.has(letter))
    const options = valued === -1 ? letters : letters.slice(0, valued + 1)
    isQuestion ||= options.some((letter) => QUESTIONS.has(letter))
    if (valued === letters.length - 1) at++
  }
  const word = args[at]
  return { host: word === undefined ? undefined : hostOf(word), isQuestion }
}

/** Of `[USER@]HOST` or `ssh://[USER@]HOST[:PORT]`. */
function hostOf(word: string): string {
  const uri = /^ssh:\/\/(?:.*@)?([^:/]*)(?::\d*)?\/?$/i.exec(word)
  return uri ? uri[1]! : word.slice(word.lastIndexOf('@') + 1)
}
