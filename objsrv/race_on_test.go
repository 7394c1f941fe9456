//go:build race

package objsrv_test

const raceEnabled = true
