/** `once`, `2 times` */
export function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

/** `1 machine`, `2 machines`. @param nouns default the noun with an s */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`
}

/** With a capital at its beginning. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
