import { isIP } from 'node:net'
import { printable } from '../../text/printable.ts'
import { bare, PIECE } from './program-words.ts'

/** A number or a version; an address has more dots. */
const NUMBER = /^v?\d{1,7}(\.\d{1,3}){0,2}$/

/** What lies between the colons of an RFC 3339 time. */
const TIME = /^(\d{4}-\d\d-\d\d(T\d\d)?|\d\d\.\d{3}(Z|[+-]\d\d))$/

/** Who logs in, and by which password, in a URL (RFC 3986 §3.2.1): not what has gone already. */
const USER_INFO = /(?<=\/\/)(?!\*\d+@)[^\s/?#]+(?=@)/g

const IPV6 = /[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*/gi

export interface RedactorOptions {
  /** All words that may stay, see programWords. */
  readonly words: ReadonlySet<string>
  /** The user's home folder: written as `~`. */
  readonly home: string
  /** Each goes wherever it stands, though it be made of words that may stay; none is empty. */
  readonly secrets: readonly string[]
}

/**
 * Takes out of a text whatever this program has not written itself: names, addresses, paths, what others say.
 * It goes by what may stay, so nothing has to be recognised. The same is replaced by the same: `*1`, `*2`.
 */
export class Redactor {
  readonly #options: RedactorOptions
  readonly #marks = new Map<string, string>()

  constructor(options: RedactorOptions) {
    this.#options = options
  }

  /**
   * @param maxLength what is behind it is left out, and the word that it would cut: half of a secret is one,
   * too
   * @returns one line stays one
   */
  text(text: string, maxLength = Number.POSITIVE_INFINITY): string {
    const { home, secrets } = this.#options
    let rest = text
    for (const secret of secrets)
      for (const form of [secret, printable(secret)]) rest = rest.replaceAll(form, () => this.#mark(secret))
    if (rest.length > maxLength) rest = `${rest.slice(0, maxLength).replace(/\S*$/, '')}…`
    rest = printable(rest)
    // Where there is none it may be the root of all paths.
    if (home.length > 1) rest = rest.replaceAll(home, '~')
    return rest
      .replaceAll(USER_INFO, (found) => this.#mark(found))
      .replaceAll(IPV6, (found) => this.#address(found))
      .replaceAll(PIECE, (piece) => this.#piece(piece))
  }

  #address(found: string): string {
    const address = found.replace(/[.:]$/, '')
    const isForeign = isIP(address) === 6 && !/^[0:]+1$/.test(address)
    return isForeign ? this.#mark(address) + found.slice(address.length) : found
  }

  #piece(piece: string): string {
    const word = bare(piece)
    if (NUMBER.test(word) || TIME.test(word) || this.#options.words.has(word)) return piece
    return this.#mark(word) + piece.slice(word.length)
  }

  #mark(what: string): string {
    const mark = this.#marks.get(what) ?? `*${this.#marks.size + 1}`
    this.#marks.set(what, mark)
    return mark
  }
}
