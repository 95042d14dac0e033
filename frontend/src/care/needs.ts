/** The words of a care visit: how people are found and what they may lack. */
export type Condition = 'well' | 'needs_attention' | 'not_reached'
export type Need = 'food' | 'medicine' | 'medical_visit' | 'supplies' | 'repair' | 'company' | 'money' | 'other'

export const CONDITIONS: Condition[] = ['well', 'needs_attention', 'not_reached']
export const NEEDS: Need[] = ['food', 'medicine', 'medical_visit', 'supplies', 'repair', 'company', 'money', 'other']
/** Days proposed for the next visit; a week is the habit. */
export const PROPOSED_DAYS = [3, 7, 14]

export const NEED_ICONS: Record<Need, string> = {
  food: 'M4 11h16a8 8 0 0 1-16 0zM9 20h6M8 8c0-2 1-2 1-4M12 8c0-2 1-2 1-4M16 8c0-2 1-2 1-4',
  medicine: 'M8.5 3.5a4 4 0 0 1 5.7 0l6.3 6.3a4 4 0 0 1-5.7 5.7L8.5 9.2a4 4 0 0 1 0-5.7zM11.5 12.5l3.5-3.5M6 13a4 4 0 1 0 0 8 4 4 0 0 0 0-8z',
  medical_visit: 'M4 7h16v13H4zM9 7V4h6v3M12 10.5v6M9 13.5h6',
  supplies: 'M3 8l9-4 9 4-9 4zM3 8v8l9 4 9-4V8M12 12v8',
  repair: 'M14.5 6.5a4 4 0 0 1 5-3l-2.5 2.5 1 2 2 1 2-2a4 4 0 0 1-5.5 4.5L8 20a2.1 2.1 0 0 1-3-3l8.5-8.5a4 4 0 0 1 1-2z',
  company: 'M4 5h16v11h-9l-4 4v-4H4zM8.5 9.5h7M8.5 12.5h4',
  money: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 7.5l3.5 5 3.5-5M12 12.5v5M9 13h6M9 15.5h6',
  other: 'M6 12h.01M12 12h.01M18 12h.01',
}
