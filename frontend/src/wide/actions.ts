/** Words for what the server says by name: actions of the trail and of a person's access log, fields of a person. */
import { t } from './texts'

/** The word for a name; one without a word goes by its own name. */
function word(kind: 'action' | 'field', name: string): string {
  const key = `${kind}.${name}`
  const text = t(key as Parameters<typeof t>[0])
  return text === key ? name : text
}
/** A phone's commands stand in the trail by their whole name: screening.leave_door_notice. */
export const actionText = (action: string): string => word('action', action.startsWith('export_') ? 'export' : action.replace(/^[a-z]+\./, ''))

/** Fields in words, one after another; `copy` is all of them and needs none. */
export const fieldsText = (fields: string[]): string =>
  fields
    .filter((field) => field !== 'copy')
    .map((field) => word('field', field))
    .join(t('list.comma'))
