// `npm start`: the main job before the reader's eyes, by real processes in throw-away home folders.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { play } from './demo/play.ts'
import { check } from './demo/stage.ts'

await play('Private Connect: reach a private service on another machine by name', async (stage) => {
  const hub = stage.machine('hub')
  const server = stage.machine('server')
  const laptop = stage.machine('laptop')

  stage.step('A hub is where machines meet: usually a small server of yours, here this computer.')
  const listening = /listening on (http:\S+)[^]*token create/
  const [, url = ''] = await stage.keep(hub, ['hub', '--listen', '127.0.0.1:0'], listening)
  check((await fetch(url)).ok, 'the hub answers at its address')

  stage.step(
    'A join token lets machines in, this one two of them. It is a secret, so the demo cuts it short.',
  )
  const token = await stage.secret(hub, ['hub', 'token', 'create', '--uses', '2'])
  check(/^tok_\w+$/.test(token), 'the hub makes join tokens')

  stage.step('Each machine joins with it, and has a key of its own from then on.')
  for (const machine of [server, laptop]) {
    await stage.run(machine, ['login', '--hub', url, '--label', machine.name], { token })
  }

  stage.step('On the server the agent runs in the background, connected to the hub.')
  const pid = await stage.startDaemon(server)

  stage.step('There is something private on the server: a web site for its own loopback only.')
  const word = randomUUID()
  const site = createServer((_request, response) => response.end(`Hello from a private web site: ${word}\n`))
  await once(site.listen(0, '127.0.0.1'), 'listening')
  stage.later(async () => site.closeAllConnections())
  const { port } = site.address() as AddressInfo
  stage.print(`(a web server listens on 127.0.0.1:${port})`)

  stage.step('The server gives it a name.')
  await stage.run(server, ['expose', `localhost:${port}`, '--name', 'web'])

  stage.step('The laptop opens a port of its own that leads there, through the hub.')
  const reached = /is at (\S+:\d+)[^]*Connected to hub/
  const [, local = ''] = await stage.keep(laptop, ['reach', 'web', '--port', '0'], reached)

  stage.step('Whatever talks to that port on the laptop talks to the web site on the server.')
  stage.print(`(the laptop gets http://${local}/)`)
  const page = await (await fetch(`http://${local}/`)).text()
  stage.print(page)
  check(page.endsWith(`: ${word}\n`), 'the answer comes from the private web site')

  stage.step('How the daemon does, and what it has done.')
  const status = await stage.run(server, ['daemon', 'status'])
  check(/Status: running/.test(status) && status.includes('web →'), 'the status tells what runs')
  const logs = await stage.run(server, ['daemon', 'logs'])
  check(logs.includes(`localhost:${port}`), 'the log tells of the laptop’s visit')

  stage.step('The server takes the name back: from now on there is no way to it.')
  await stage.run(server, ['unexpose', 'web'])
  await stage.run(laptop, ['reach', 'web'], { exitCode: 1 })

  stage.step('It stops the daemon, too.')
  await stage.run(server, ['daemon', 'stop'])
  check((await stage.daemonStatus(server)).status === 'stopped', 'the daemon has stopped')
  check(!stage.isAlive(pid), 'the daemon’s process is gone')
})
