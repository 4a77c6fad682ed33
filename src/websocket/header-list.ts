/** The items of the comma-separated list in a header (RFC 9110 §5.6.1). */
export function itemsOf(header: string | undefined): string[] {
  return (header ?? '').split(',').map((item) => item.trim())
}

/** Whether the list in a header has the token, in upper or lower case. */
export function hasToken(header: string | undefined, token: string): boolean {
  return itemsOf(header?.toLowerCase()).includes(token)
}
