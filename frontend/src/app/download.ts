/** Hand the person a file made on this phone. */
export function saveFile(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // some browsers start reading only after the click has returned
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
