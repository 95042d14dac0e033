/**
 * The doors and areas of one community as the page shows them: buildings and areas at once, the doors of a building
 * when it comes into view, and what is selected.
 */
import { computed, ref, shallowReactive, watch, type ComputedRef } from 'vue'
import { stairTitle } from '../../doors/places'
import { problemText, useLoad } from '../calls'
import { countWithoutOwner, markAreas, sortSelection, toggleGroup } from './area'
import { listAreas, listBuildings, listDoors } from './areas'
import { buildingKey, type Building, type Door } from './facade'

export function useAreas(community: ComputedRef<string>) {
  const buildings = useLoad(() => listBuildings(community.value), community)
  const areas = useLoad(() => listAreas(community.value), community)
  const doors = shallowReactive(new Map<string, Door[]>())
  const selected = ref<Set<string>>(new Set())
  const chosen = ref<string | null>(null)
  const problem = ref('')

  const marked = computed(() => markAreas(areas.data.value ?? []))
  const chosenArea = computed(() => (chosen.value ? (marked.value.get(chosen.value) ?? null) : null))
  const allDoors = computed(() => [...doors.values()].flat())
  const selectedDoors = computed(() => allDoors.value.filter((door) => selected.value.has(door.dwelling_id)))
  const selection = computed(() => sortSelection(selectedDoors.value, chosen.value))
  const withoutOwner = computed(() => countWithoutOwner(buildings.data.value ?? [], areas.data.value ?? []))
  const withCompound = computed(() => new Set(buildings.data.value?.map((one) => one.compound)).size > 1)

  watch(community, () => {
    doors.clear()
    selected.value = new Set()
    chosen.value = null
  })

  /** Fetch the doors of a building, once. */
  async function openBuilding(building: Building, again = false): Promise<void> {
    const key = buildingKey(building)
    if (doors.has(key) && !again) return
    const asked = community.value
    try {
      const found = await listDoors(asked, building)
      if (asked === community.value) doors.set(key, found)
      problem.value = ''
    } catch (error) {
      problem.value = problemText(error)
    }
  }

  /** After a change: areas, counts, and the doors that are drawn, while the old ones stay in view. */
  async function reload(): Promise<void> {
    const open = (buildings.data.value ?? []).filter((building) => doors.has(buildingKey(building)))
    await Promise.all([areas.reload(), buildings.reload(), ...open.map((building) => openBuilding(building, true))])
  }

  function toggle(id: string): void {
    const next = new Set(selected.value)
    if (!next.delete(id)) next.add(id)
    selected.value = next
  }
  function add(id: string): void {
    if (!selected.value.has(id)) selected.value = new Set(selected.value).add(id)
  }
  function drop(id: string): void {
    const next = new Set(selected.value)
    if (next.delete(id)) selected.value = next
  }
  function toggleDoors(group: Door[]): void {
    selected.value = toggleGroup(selected.value, group, chosen.value)
  }
  function clear(): void {
    selected.value = new Set()
  }
  const titleOf = (door: Door): string => stairTitle(door, withCompound.value)

  return {
    buildings, areas, doors, selected, chosen, problem, marked, chosenArea, selectedDoors, selection, withoutOwner, withCompound,
    openBuilding, reload, toggle, add, drop, toggleDoors, clear, titleOf,
  }
}
