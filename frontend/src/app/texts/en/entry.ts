import type zh from '../zh-CN/entry'

/** The first screen in English. */
const en: Record<keyof typeof zh, string> = {
  'app.name': 'Pioneer Grid',
  'app.loading': 'Opening…',
  'app.back': 'Back',
  'app.close': 'Close',
  'app.cancel': 'Cancel',
  'app.undo': 'Undo',
  'app.retry': 'Try again',
  'app.save': 'Save',
  'app.tabs': 'Main pages',

  'notice.no_https': 'This address is not https, so the app cannot open without network. Online it works as usual.',
  'notice.no_database': 'This browser cannot keep data offline (a private window, perhaps). Use a normal window or another browser.',
  'notice.new_version': 'A new version is ready',
  'notice.new_version_do': 'Update',

  'sign_in.welcome': 'No door missed, nobody missed',
  'sign_in.login': 'Phone number or login name',
  'sign_in.password': 'Password',
  'sign_in.submit': 'Sign in',
  'sign_in.busy': 'Signing in…',
  'sign_in.invitation': 'I have an invitation code',
  'sign_in.unreachable': 'The server cannot be reached. The first sign-in needs a network; check it and try again.',
  'sign_in.forgot': 'Forgot the password? Ask your committee to reset it, or for an invitation code.',
  'sign_in.need_login': 'Fill in your phone number or login name.',
  'sign_in.need_password': 'Fill in your password.',
  'sign_in.kept': '{n} unsent {n|record is|records are} kept here and will be sent once you sign in to this account.',

  'code.credentials_invalid': 'The phone number (login) or password is not right.',
  'code.too_many_attempts': 'Too many attempts; try again in some minutes.',
  'code.device_revoked': 'This device was ended. Its records were sent, all else was deleted. Ask your committee if you still need it.',
  'code.password_change_needed': 'Set a password of your own first; nothing unsent is lost.',
  'code.not_found': 'Not found; it may have been removed.',
  'code.forbidden': 'Your account may not do this.',
  'code.offline': 'The server cannot be reached. Check the network and try again.',
  'code.server': 'The server had a problem; try again later.',
  'code.unknown': 'That did not work ({code}). Please try again.',
}

export default en
