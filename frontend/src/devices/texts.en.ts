import type zh from './texts.zh-CN'

const en: typeof zh = {
  'text': 'Phones and computers signed in with this account. Sign out here what is lost or no longer used.',
  'this': 'This one',
  'last': 'Last contact {when}',
  'never': 'Never heard of',
  'version': 'Version {version}',
  'unsent': 'Unsent records since {when}',
  'leaving': 'Told to sign out; waiting until it is online',
  'out': 'Sign it out',
  'ask': 'Sign out “{name}”?',
  'ask_text': 'When it is next online it sends what is unsent, deletes the residents’ data and signs out. Until then it gets nothing new.',
  'holds': 'It holds records that are unsent since {when}.',
  'done': '“{name}” has been told to sign out',
  'none': 'No other devices',
  'unnamed': 'Unnamed device',
}

export default en
