/**
 * Line drawings on a 24 × 24 field, one path each, for `Icon.vue`. Each is its own export, so that a page
 * carries only what it shows.
 */
export const iconToday = 'M4 5h16v15H4zM4 9.5h16M8 3v4M16 3v4M9 15l2 2 4-4'
export const iconDoors = 'M4 21V4l9-1.5V21M13 8h6v13M2 21h20M7 8h2M7 12h2M7 16h2M16 12h.5M16 16h.5'
export const iconPosts = 'M6 21V4M6 4.5h11l-2.5 4 2.5 4H6'
export const iconMe = 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c.6-4 3.8-6.5 8-6.5s7.4 2.5 8 6.5'
export const iconBack = 'M15 5l-7 7 7 7'
export const iconForward = 'M9 5l7 7-7 7'
export const iconClose = 'M6 6l12 12M18 6L6 18'
export const iconCheck = 'M5 12.5l4.5 4.5L19 7.5'
export const iconSearch = 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L21 21'
export const iconPhone = 'M6 3h4l1.5 5-2.5 1.5a12 12 0 0 0 5.5 5.5L16 12.5l5 1.5v4c0 1.7-1.3 3-3 3C10 21 3 14 3 6c0-1.7 1.3-3 3-3z'
export const iconMore = 'M5 12h.01M12 12h.01M19 12h.01'
export const iconClock = 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2'
export const iconPlace = 'M12 21s7-6.3 7-11.5A7 7 0 0 0 5 9.5C5 14.7 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z'
export const iconPeople = 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.5 3-5.5 6.5-5.5s6.1 2 6.5 5.5M16 4.5a3.3 3.3 0 0 1 0 6.3M17.5 14.8c2.3.6 3.7 2.4 4 5.2'
export const iconUp = 'M12 19V6M6 11.5L12 5.5l6 6'
export const iconSync = 'M20 11a8 8 0 0 0-14.3-4L4 9M4 4v5h5M4 13a8 8 0 0 0 14.3 4L20 15M20 20v-5h-5'
export const iconWarning = 'M12 4L2.5 20h19zM12 10v5M12 17.5v.01'
export const iconCalendar = 'M4 5h16v15H4zM4 9.5h16M8 3v4M16 3v4'
export const iconPin = 'M9 3h6l-1 6 3.5 4h-11L10 9zM12 13v8'
