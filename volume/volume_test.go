package volume_test

import (
	"testing"

	"holdfast"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// cluster is a set of servers in memory.
type cluster struct {
	*volume.Direct
	slots   *volume.SlotMap
	names   map[holdfast.ServiceID]*nametest.Memory
	objects map[holdfast.ServiceID]*objtest.Memory
	census  *volumetest.Census // of all that comes through it
}

func newCluster(names, objects int) *cluster {
	ids := make([]holdfast.ServiceID, names)
	for i := range ids {
		ids[i] = holdfast.NewServiceID(holdfast.TypeNameServer, uint64(i+1))
	}
	c := &cluster{
		slots:   volume.NewSlotMap(ids...),
		names:   make(map[holdfast.ServiceID]*nametest.Memory),
		objects: make(map[holdfast.ServiceID]*objtest.Memory),
	}
	c.Direct = volume.NewDirect(c.slots)
	c.census = volumetest.NewCensus(c.Direct)
	for _, id := range ids {
		c.names[id] = nametest.New(nil, c.slots.Held(id)...)
		c.SetName(id, c.names[id])
	}
	for i := range objects {
		id := holdfast.NewServiceID(holdfast.TypeObjectStore, uint64(i+1))
		c.objects[id] = objtest.NewMemory(id, nil)
		c.SetObject(id, c.objects[id])
	}
	return c
}

func TestSuiteInMemory(t *testing.T) {
	volumetest.Suite(t, func(_ testing.TB, names, objects int) volume.Services { return newCluster(names, objects) })
}
