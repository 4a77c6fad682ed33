/** The status codes of RFC 6455 §7.4.1 that are sent here. */
export const CLOSE_CODES = {
  PROTOCOL: 1002,
  UNSUPPORTED: 1003,
  NOT_UTF8: 1007,
  POLICY: 1008,
  TOO_BIG: 1009,
} as const

/** Whether a close frame may carry the code: one of the RFC, a registered one, or an application's own. */
export function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999
  // 1004 is reserved; 1005 and 1006 say that there was no code, or no close frame.
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)
}
