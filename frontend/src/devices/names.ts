/** What to call a device. */

/** A browser calls itself in a hundred letters; what it runs on and which it is will do. */
export function shortName(name: string): string {
  if (!name.startsWith('Mozilla/')) return name
  const system = /HarmonyOS|Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(name)?.[0]
  const browser = /MicroMessenger|HuaweiBrowser|MiuiBrowser|Edg|Firefox|Chrome|Safari/.exec(name)?.[0].replace('MicroMessenger', 'WeChat').replace('Edg', 'Edge')
  return [system, browser].filter(Boolean).join(' · ') || name
}
