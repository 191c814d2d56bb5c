// Package devicetest holds the contract test that every driver passes, and a stand-in for the bus.
//
//	func TestContract(t *testing.T) {
//		devicetest.Run(t, devicetest.Harness{Driver: sim.Driver{}, Options: "name: plant\n…"})
//	}
package devicetest
