/*
 * A front panel for Tutti: any Arduino with a USB port, a 20x4 character display on I2C, three buttons and a rotary encoder.
 *
 * Wiring: the display's SDA and SCL to the board's; buttons between pins 4, 5, 6 and ground; the encoder's A and B to pins 2 and 3, its
 * middle to ground. No resistors: the board's own pull-ups hold the lines.
 *
 * It speaks text, a line a message, 115200 baud, 8N1. To the node: PLAY, PAUSE, SKIP, VOL +5, VOL -5, STATUS. From the node:
 *
 *   T <title>               what plays
 *   S playing 0:42 3:10     playing, paused or stopped, position, length
 *   N kitchen leader 3/3    this node, its part, how many of those that vote are here
 *   E NO_QUORUM             a press was refused, or the others are out of reach: shown for three seconds
 *
 * A board restarts when its port is opened and misses what it is sent meanwhile, so it asks for everything (STATUS) when it is ready.
 *
 * Needs the library LiquidCrystal I2C (Frank de Brabander). A 16x2 display shows title and state: set COLUMNS and ROWS.
 */
#include <LiquidCrystal_I2C.h>

const uint8_t COLUMNS = 20;
const uint8_t ROWS = 4;
const uint8_t DISPLAY_ADDRESS = 0x27;

const uint8_t ENCODER_A = 2;
const uint8_t ENCODER_B = 3;
const uint8_t BUTTON_PINS[] = {4, 5, 6};
const char *const BUTTON_LINES[] = {"PLAY", "PAUSE", "SKIP"};
const uint8_t BUTTONS = sizeof BUTTON_PINS;

/* As long as contacts may bounce. The first edge counts, so that a press is not felt to be late. */
const unsigned long SETTLE_MS = 30;
/* Four steps of an encoder are one click. */
const int8_t STEPS_PER_CLICK = 4;
/* How long an error is shown in the place of the last row. */
const unsigned long ERROR_MS = 3000;
/* A node that says nothing for so long is asked: it shows seconds while it plays, but not while it is silent. */
const unsigned long ASK_EVERY_MS = 30000;
/* The longest line of the protocol, and its end. */
const uint16_t LINE_BYTES = 257;

LiquidCrystal_I2C display(DISPLAY_ADDRESS, COLUMNS, ROWS);

char line[LINE_BYTES];
uint16_t lineLength = 0;
bool lineIsTooLong = false;

bool buttonIsDown[BUTTONS];
unsigned long buttonChangedAt[BUTTONS];

volatile int8_t encoderSteps = 0;
volatile uint8_t encoderState = 0;

char nodeText[COLUMNS + 1] = "";
unsigned long errorSince = 0;
bool errorIsShown = false;
unsigned long heardAt = 0;
unsigned long askedAt = 0;

/* One row, cut to the display's width, with blanks over what was there. */
void showRow(uint8_t row, const char *text) {
  if (row >= ROWS) return;
  display.setCursor(0, row);
  uint8_t column = 0;
  for (; column < COLUMNS && text[column] != 0; column++) display.print(text[column]);
  for (; column < COLUMNS; column++) display.print(' ');
}

/* A title may take two rows where there are four. */
void showTitle(const char *text) {
  showRow(0, text);
  if (ROWS >= 4) showRow(1, strlen(text) > COLUMNS ? text + COLUMNS : "");
}

void showError(const char *code) {
  showRow(ROWS - 1, code);
  errorIsShown = true;
  errorSince = millis();
}

void take(const char *text) {
  heardAt = millis();
  if (text[0] == 0 || text[1] != ' ') return;
  const char *rest = text + 2;
  switch (text[0]) {
    case 'T':
      showTitle(rest);
      break;
    case 'S':
      showRow(ROWS >= 4 ? 2 : 1, rest);
      break;
    case 'N':
      strncpy(nodeText, rest, COLUMNS);
      nodeText[COLUMNS] = 0;
      if (ROWS >= 4 && !errorIsShown) showRow(3, nodeText);
      break;
    case 'E':
      showError(rest);
      break;
  }
}

/* Puts lines together; one that is too long is dropped whole. */
void readSerial() {
  while (Serial.available() > 0) {
    const char byte = (char)Serial.read();
    if (byte == '\n') {
      line[lineLength] = 0;
      if (!lineIsTooLong) take(line);
      lineLength = 0;
      lineIsTooLong = false;
    } else if (byte != '\r') {
      if (lineLength == LINE_BYTES - 1) lineIsTooLong = true;
      else line[lineLength++] = byte;
    }
  }
}

void readButtons() {
  const unsigned long now = millis();
  for (uint8_t i = 0; i < BUTTONS; i++) {
    if (now - buttonChangedAt[i] < SETTLE_MS) continue;
    const bool isDown = digitalRead(BUTTON_PINS[i]) == LOW;
    if (isDown == buttonIsDown[i]) continue;
    buttonIsDown[i] = isDown;
    buttonChangedAt[i] = now;
    if (isDown) Serial.println(BUTTON_LINES[i]);
  }
}

/* Each change of the two contacts is a step forth or back; one that skips a state is none. */
void encoderMoved() {
  static const int8_t STEPS[16] = {0, -1, 1, 0, 1, 0, 0, -1, -1, 0, 0, 1, 0, 1, -1, 0};
  encoderState = ((encoderState << 2) | (digitalRead(ENCODER_A) << 1) | digitalRead(ENCODER_B)) & 0x0f;
  encoderSteps += STEPS[encoderState];
}

void readEncoder() {
  noInterrupts();
  const int8_t clicks = encoderSteps / STEPS_PER_CLICK;
  encoderSteps -= clicks * STEPS_PER_CLICK;
  interrupts();
  for (int8_t i = 0; i < clicks; i++) Serial.println("VOL +5");
  for (int8_t i = 0; i > clicks; i--) Serial.println("VOL -5");
}

void endError() {
  if (!errorIsShown || millis() - errorSince < ERROR_MS) return;
  errorIsShown = false;
  if (ROWS >= 4) showRow(3, nodeText);
  else Serial.println("STATUS");
}

void askIfSilent() {
  const unsigned long now = millis();
  if (now - heardAt < ASK_EVERY_MS || now - askedAt < ASK_EVERY_MS) return;
  askedAt = now;
  showRow(ROWS - 1, "no node");
  Serial.println("STATUS");
}

void setup() {
  Serial.begin(115200);
  display.init();
  display.backlight();
  showTitle("Tutti");
  for (uint8_t i = 0; i < BUTTONS; i++) {
    pinMode(BUTTON_PINS[i], INPUT_PULLUP);
    /* One that is held now was not pressed. */
    buttonIsDown[i] = digitalRead(BUTTON_PINS[i]) == LOW;
  }
  pinMode(ENCODER_A, INPUT_PULLUP);
  pinMode(ENCODER_B, INPUT_PULLUP);
  encoderState = (digitalRead(ENCODER_A) << 1) | digitalRead(ENCODER_B);
  attachInterrupt(digitalPinToInterrupt(ENCODER_A), encoderMoved, CHANGE);
  attachInterrupt(digitalPinToInterrupt(ENCODER_B), encoderMoved, CHANGE);
  Serial.println("STATUS");
}

void loop() {
  readSerial();
  readButtons();
  readEncoder();
  endError();
  askIfSilent();
}
