import type zh from './texts.zh-CN'

const en: typeof zh = {
  'title': 'Household',
  'contact': 'Contact and note',
  'phone': 'Household phone',
  'phone_hint': 'Empty means there is none',
  'phone_wrong': 'Check this number, please',
  'note': 'Note on the household',
  'note_hint': 'For example: at home after seven',
  'members': 'Members (tap one to correct)',
  'add': 'Add a person',
  'edit': 'Correct {name}',
  'name': 'Name',
  'name_missing': 'Enter a name',
  'sex': 'Sex',
  'male': 'Male',
  'female': 'Female',
  'relation': 'Relation to the head',
  'relation_hint': 'For example: spouse, child, tenant',
  'birth': 'Date of birth',
  'birth_optional': 'Leave it empty if not known',
  'birth_known': 'Registered: {year}; leave empty to keep it',
  'birth_wrong': 'Check this date, please',
  'own_phone': 'Own phone',
  'own_phone_keep': 'Leave empty to keep it',
  'saved': 'Saved; it is sent when there is a network',
  'undone': 'Taken back',
  'too_late': 'Already sent; correct it once more instead.',
  'nothing': 'Nothing changed',
}

export default en
