import { serveTcp } from '../../helpers/servers.ts'

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = await serveTcp(() => {})
  await server.close()
  return server.port
}
