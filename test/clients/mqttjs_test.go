package clients

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// node is mqttjs/clients.js, in which all clients of MQTT.js live.
type node struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // it has closed its output

	mu      sync.Mutex
	last    int // request or handle
	answers map[int]chan nodeLine
	inboxes map[int]inbox
}

// nodeLine is what clients.js writes.
type nodeLine struct {
	N       int
	Handle  int
	Message *message
	Error   string
	Result  struct {
		Code    byte
		Present bool
	}
}

type nodeRequest struct {
	N       int      `json:"n"`
	Handle  int      `json:"handle"`
	Op      string   `json:"op"`
	Options *options `json:"options,omitempty"`
	Message *message `json:"message,omitempty"`
	Filter  string   `json:"filter,omitempty"`
	QoS     byte     `json:"qos"`
	ID      int      `json:"id,omitempty"`
	Cut     bool     `json:"cut"`
}

func startNode() (*node, error) {
	n := &node{cmd: exec.Command("node", "mqttjs/clients.js"), ended: make(chan struct{}), answers: map[int]chan nodeLine{}, inboxes: map[int]inbox{}}
	n.cmd.Stderr = os.Stderr
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	go n.read(stdout)
	return n, nil
}

func (n *node) read(stdout io.Reader) {
	defer close(n.ended)
	for dec := json.NewDecoder(bufio.NewReader(stdout)); ; {
		var line nodeLine
		if err := dec.Decode(&line); err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(os.Stderr, "mqttjs/clients.js:", err)
			}
			return
		}
		n.mu.Lock()
		in, answer := n.inboxes[line.Handle], n.answers[line.N]
		delete(n.answers, line.N)
		n.mu.Unlock()
		if line.Message != nil {
			in <- *line.Message
		} else {
			answer <- line
		}
	}
}

// stop ends it and all its clients.
func (n *node) stop() error {
	n.stdin.Close()
	<-n.ended
	return n.cmd.Wait()
}

func (n *node) ask(r nodeRequest) (nodeLine, error) {
	answer := make(chan nodeLine, 1)
	n.mu.Lock()
	n.last++
	r.N = n.last
	n.answers[r.N] = answer
	err := json.NewEncoder(n.stdin).Encode(r)
	n.mu.Unlock()
	if err != nil {
		return nodeLine{}, err
	}
	select {
	case line := <-answer:
		if line.Error != "" {
			return line, errors.New(line.Error)
		}
		return line, nil
	case <-n.ended:
		return nodeLine{}, errors.New("node has ended")
	case <-time.After(patience):
		return nodeLine{}, errors.New("no answer to " + r.Op)
	}
}

// mqttJS is a client of MQTT.js.
type mqttJS struct {
	inbox
	node   *node
	handle int
}

func (n *node) connect(o options) (client, bool, error) {
	c := &mqttJS{inbox: newInbox(), node: n}
	n.mu.Lock()
	n.last++
	c.handle = n.last
	n.inboxes[c.handle] = c.inbox
	n.mu.Unlock()
	line, err := n.ask(nodeRequest{Handle: c.handle, Op: "connect", Options: &o})
	return c, line.Result.Present, err
}

func (c *mqttJS) subscribe(filter string, qos byte, id int) (byte, error) {
	line, err := c.node.ask(nodeRequest{Handle: c.handle, Op: "subscribe", Filter: filter, QoS: qos, ID: id})
	return line.Result.Code, err
}

func (c *mqttJS) publish(m message) (byte, error) {
	line, err := c.node.ask(nodeRequest{Handle: c.handle, Op: "publish", Message: &m})
	return line.Result.Code, err
}

func (c *mqttJS) end(cut bool) error {
	_, err := c.node.ask(nodeRequest{Handle: c.handle, Op: "end", Cut: cut})
	return err
}
