package objtest_test

import (
	"testing"

	"holdfast"
	"holdfast/objsrv/objtest"
)

func TestMemory(t *testing.T) {
	objtest.Suite(t, func(t *testing.T) holdfast.ObjectService {
		return objtest.NewMemory(holdfast.NewServiceID(holdfast.TypeObjectStore, 1), nil)
	})
}
