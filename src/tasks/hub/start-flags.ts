import type { HubSettings } from '../../config/hub/hub-settings.ts'
import { shellQuote } from '../../text/shell-quote.ts'

/** The flags that have `connect hub start` do the same, as they are typed; '' without any. */
export function startFlags({ given, reset = false }: { given: HubSettings; reset?: boolean }): string {
  const { dataDir, listen, tlsCert, tlsKey, url, plainHttp = false, insecure = false } = given
  const values = {
    '--data-dir': dataDir,
    '--listen': listen,
    '--tls-cert': tlsCert,
    '--tls-key': tlsKey,
    '--url': url,
  }
  const switches = { '--plain-http': plainHttp, '--insecure': insecure, '--reset': reset }
  return [
    ...Object.entries(values).flatMap(([flag, value]) =>
      value === undefined ? [] : [flag, shellQuote(value)],
    ),
    ...Object.entries(switches).flatMap(([flag, isOn]) => (isOn ? [flag] : [])),
  ]
    .map((word) => ` ${word}`)
    .join('')
}
