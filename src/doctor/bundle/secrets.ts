import type { Config } from '../../config/config.ts'

/** The variables that hold a proxy’s password, or a join token. */
const SECRET = /^(https?_proxy|all_proxy|PRIVATECONNECT_TOKEN)$/i

/** What is known to be secret here, in case it is made of words that may stay. */
export function knownSecrets(config: Config | undefined, env: NodeJS.ProcessEnv): string[] {
  const values = Object.entries(env).flatMap(([name, value]) => (SECRET.test(name) && value ? [value] : []))
  const urls = [...values, config?.proxy ?? ''].flatMap((text) => [text, `http://${text}`])
  const logins = urls.filter((text) => URL.canParse(text)).flatMap((text) => loginOf(new URL(text)))
  const all = [...values, ...logins, config?.proxy ?? '', config?.key.d ?? '', config?.key.x ?? '']
  // What holds another one goes first.
  return [...new Set(all)].filter((text) => text.length > 2).toSorted((a, b) => b.length - a.length)
}

function loginOf({ username, password }: URL): string[] {
  return [username, password].flatMap((text) => [text, decoded(text)])
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
