package volume_test

import (
	"testing"

	"holdfast"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// cluster is a set of servers in memory.
type cluster struct {
	*volume.Direct
	slots   *volume.SlotMap
	names   []*fakeNames
	objects map[holdfast.ServiceID]*objtest.Memory
}

func newCluster(names, objects int) *cluster {
	ids := make([]holdfast.ServiceID, names)
	for i := range ids {
		ids[i] = holdfast.NewServiceID(holdfast.TypeNameServer, uint64(i+1))
	}
	c := &cluster{slots: volume.NewSlotMap(ids...), objects: make(map[holdfast.ServiceID]*objtest.Memory)}
	c.Direct = volume.NewDirect(c.slots)
	for _, id := range ids {
		n := newFakeNames(id, c.slots)
		c.names = append(c.names, n)
		c.SetName(id, n)
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
