import type { RsaKeyPair } from "../../lib/protocol/mod.ts";
import { importRsa } from "../../lib/protocol/mod.ts";

/**
 * One RSA pair of 3,072 bits for all tests: making a new one takes around half a second in every test
 * file. It was made by `openssl genpkey` for this purpose and protects nothing.
 */
export async function testRsaPair(): Promise<RsaKeyPair> {
  return await importRsa(
    Uint8Array.fromBase64(PKCS8),
    Uint8Array.fromBase64(SPKI),
    true,
  );
}

const SPKI =
  "MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEA1QzMP3PLzvfVyA33+1/rPIr8KI+Z" +
  "xnaH5CvVfaZfHFNl+CR+zWV4AGn4s3aVdFze3rCtiihus79H21Qzr98NcuUNhoV9eNdSp68V" +
  "CmeAW8m9izAlH/WTRgHgASqyJLMyoPKsmqa+5xIvi0/eHa86sO/R/vl1rGQ1hhwOeaTG2irG" +
  "vEeRjQSUdjt9+a/iX4WFl8dZY4EQz+e7KdrV9UaCm9CP5VdUZ8klSpFBn/q2pGT1XRTsMHqq" +
  "sT9Nu/2V8nRCvRhSgkneYsfKpjPbyZ/d5x99KEYaQ5c0iOIWOk/g72DN/MTEdhnkJmkdnKIP" +
  "QwYwrPBQ3llRf6hvhIEAbeuX8ZzyGvRX9DMbEJGWAAwWax3u7RVAohlj0WkB4PTaoxmP/GTH" +
  "oCOsohRXVMNcKCLg4rySy3f4L3vO+3L6w5oZUcMEcuLL/p8hBiGseOPLN5hqDExWkfTo3Ut4" +
  "9JYe1+BW/O9ujMwToLyjazIHgRNduOU+L7Qsg3WUHJO+xecRFI0JAgMBAAE=";

const PKCS8 =
  "MIIG/QIBADANBgkqhkiG9w0BAQEFAASCBucwggbjAgEAAoIBgQDVDMw/c8vO99XIDff7X+s8" +
  "ivwoj5nGdofkK9V9pl8cU2X4JH7NZXgAafizdpV0XN7esK2KKG6zv0fbVDOv3w1y5Q2GhX14" +
  "11KnrxUKZ4Bbyb2LMCUf9ZNGAeABKrIkszKg8qyapr7nEi+LT94drzqw79H++XWsZDWGHA55" +
  "pMbaKsa8R5GNBJR2O335r+JfhYWXx1ljgRDP57sp2tX1RoKb0I/lV1RnySVKkUGf+rakZPVd" +
  "FOwweqqxP027/ZXydEK9GFKCSd5ix8qmM9vJn93nH30oRhpDlzSI4hY6T+DvYM38xMR2GeQm" +
  "aR2cog9DBjCs8FDeWVF/qG+EgQBt65fxnPIa9Ff0MxsQkZYADBZrHe7tFUCiGWPRaQHg9Nqj" +
  "GY/8ZMegI6yiFFdUw1woIuDivJLLd/gve877cvrDmhlRwwRy4sv+nyEGIax448s3mGoMTFaR" +
  "9OjdS3j0lh7X4Fb8726MzBOgvKNrMgeBE1245T4vtCyDdZQck77F5xEUjQkCAwEAAQKCAYAT" +
  "1uWgvYjjwLi50NIwSIv8dvFZGhk+7dwE84+FjEQEXGBNIaHkwN+SQ0wHc0Ii5ECVUnTQnigD" +
  "6Uq42hAXnzDui3WtWpo28e82ogNWtRFzCrfxwZWdcqYIoYVRen89E2piKkMIQkGZ/Tur8I+t" +
  "qjsQDb8bjDGo8Gp7DvsKmR1y5MOdthjv3baxBWR7Z0VwcXvBqOzSKytMfwby9HfS58JjHeJ+" +
  "f/nCUez88waeTg+qwqOGK9v8PjoNuChGGqzXV3vRhhqZtdHITc11S2pW/sSlh4cSxbuhAl9z" +
  "unOGGANqKq2U2sx9HQModRyc8idzXHaWevn8UQu0ua18xzQWYDJd1JX6XKiM5BZIDmaKR5FG" +
  "uYcFJw8vLpZkc7n/XuHejG61/5R1B4T1MRhz3h0cDlrX+o4BzIOvcgUldsssohKnOg/fkq+R" +
  "gmSLk7Et4rQV74jBQ2i7kjVe6GsYj9vXHMB7wjMoa13RhWlWzAK19Slxhm/fuDCwEIBWaN9L" +
  "3Ajf4rECgcEA7HUaI3J/C7GcpT0NqwfmYzmKI1/e0xpzvgOjzyla4Wbch0rR35mHqi6muo+2" +
  "bUeI4S0eVQaq2D/5c8Fzv/q8jClPN7FF9ReQxpz+Km9ovZzLBEZBrpAgizIt1LWMfQoGrj0A" +
  "mIPM0w2ry2tErbqShxNJSuT/cV954ShAJeXSIEEXb8YyNCW2+SOkDyn41JVKemhUDeyvvL0d" +
  "v00sY+u3u9UWjaSsG9EPcTsQF2O90JLw7p3l9oiCCpZOVwFkgq/xAoHBAOaocqtjZK7tH4XH" +
  "vV7Y6qFP01jCqjZigZAcIBWWLUlH6GhInmXXoyRKO9GUkmrrMKbfTGJ9Gyl98JnbHrCfwdgL" +
  "K0F9v3qENSKDEES57d8NeG0LaDVTGFQ0Mr7P5gW04IWtJV7II5ueAqhbMQhiowvjAeTDwdch" +
  "As7HTpwUMHy8ibYu0NQI4KHX5aqxD66PTGYzZUFwElzj/ehJfcL5tZ36MyQPuGYK4cZi2t5y" +
  "ZAkRBSKBMBJbsgJVtX1sXjXGmQKBwCCVdneiBH3RCNwAUMzbttS/jhiX0nXWtFJf4AfhFAPx" +
  "j7wZBFjCqF48NX+J5EKk0+jrtb1TwOEx16cq5k9zNt49pwvuosxGZg3ofmHMnmtamuNI5y4t" +
  "8D4eORCRv/1PD2KdR2K87tG6lYzfiEREbIKulq/6ZHT0CjCLwmM2i0Eklx0w+6QR+mfUkHwC" +
  "daadt/isPcD5d7ITgXDmKpLOXbBFiekU4x6mLXGWCP6gIP0H8ql/GrxhTUI2Oi9lIrubkQKB" +
  "wQCQz2aWlWMrs3Fb8ye/+V1tAwnEKwrj8/o1uIKoKs2puTx+5ECV3cjtyrE9hhJaj+fOjFiP" +
  "aM35wbihT4E4EESJ15FDn6fsSj51uWUoULa3l+RoSYYWHGIk01ScmTdnk8R2CFty4yH/3Db8" +
  "7aueARcuKkoRDpmO74msulJvCPncBh5LQ58Vz7D/yuTEwj7/L7YeX9wNNkhBC15oTGNpWo6c" +
  "bO1YkYoKfoB6pauVhqmpS4c2v3anv+vFLXwxDy0ig9kCgcBQGpCYMbYdACT86hBP4SnnvCKp" +
  "A8aN5rf6ixw8UnFw9MixJ+M99+XrYFLe9uAdDwe+TY/Ns+ICWgTQEvqqcEmg5ORdIeYsrYbb" +
  "5+op0mZ2WukWBBp4eS9+659AoDxHBzen/7dN7Gwg1aF9d7Y4BDwZmEwB6/4iNKdq+HeKy8if" +
  "Bl+Y6ryVvaH4Rmw675THdLX2hUqQif62T/6U0cl62YZn5M6Rylwr3Z5GBWQFQ8R8M/ujKLWl" +
  "ZEPxRi/vZ/raULQ=";
